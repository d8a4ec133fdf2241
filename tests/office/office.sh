#!/usr/bin/env bash
# LibreOffice opens templates and exports, saves them as XLSX and as CSV, and they still import: office.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
folder=$(mktemp -d)
cd "$folder"
export LC_ALL=C.UTF-8
"$program" up --data-dir data --port 0 >up.log 2>&1 &
up=$!
trap 'kill "$up" 2>/dev/null; wait "$up" 2>/dev/null || true; rm -rf "$folder"' EXIT
until [ -e data/up.json ]; do
  kill -0 "$up" || { cat up.log; exit 1; }
  sleep 0.2
done

# expect WORDS COMMAND...: runs a command of the program, whose output has to have these words.
expect() {
  local words=$1 said
  shift
  said=$("$program" "$@" --data-dir data 2>&1) || true
  if ! grep -qF -- "$words" <<<"$said"; then
    echo "FAILED: tongxin $*"
    echo "  expected: $words"
    sed 's/^/  /' <<<"$said"
    exit 1
  fi
  echo "ok: tongxin $* -> $words"
}

# saved FILE FORMAT FOLDER: what LibreOffice makes of a file.
saved() { soffice -env:UserInstallation="file://$folder/profile" --headless --convert-to "$2" --outdir "$3" "$1" >/dev/null 2>&1; }

XLSX='xlsx:Calc MS Excel 2007 XML'
# Commas, double quotes, UTF-8, cells as they are shown.
CSV='csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false'

soffice --version
cat >regions.csv <<'CSV_END'
code,name,level,parent_code,assisted
440000000000,广东省,province,,0
441800000000,清远市,city,440000000000,0
441823000000,阳山县,county,441800000000,0
441823107000,太平镇,town,441823000000,1
441823107200,太平村委会,village,441823107000,1
CSV_END
cat >organisations.csv <<'CSV_END'
name,kind,side,host_kind,region_code,credit_code
清远市示例小学,school,supporter,,441800000000,12440100000000001A
太平镇中心小学,school,recipient,,441823107000,12441823000000002T
CSV_END
cat >pairings.csv <<'CSV_END'
kind,supporter_credit_code,recipient_credit_code,agreement_number,starts_on,ends_on
school,12440100000000001A,12441823000000002T,2026-01,2026-01-01,
CSV_END
cat >households.csv <<'CSV_END'
household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work,registered_on,address,bank_account,phone
0044182300000000001,441823107200,none,陈甲一,441823198001019991,head,healthy,ordinary,not_at_school,resident_medical,farming,2026-01-01,3组12号,6217003320000120007,13800000000
0044182300000000001,,,陈甲二,441823198202029993,spouse,healthy,ordinary,not_at_school,,none,,,,
CSV_END
expect "5 regions" import regions regions.csv --effective-from 2021-01-01
expect "2 accepted" import organisations organisations.csv
expect "1 accepted" import pairings pairings.csv
expect "1 accepted" import households households.csv

for kind in organisations pairings households; do
  rows=1
  [ "$kind" = organisations ] && rows=2
  for lang in en zh; do
    mkdir -p "saved-$lang"
    expect "$rows" export "$kind" 441800000000 --lang "$lang" --out "$kind-$lang.xlsx"
    saved "$kind-$lang.xlsx" "$XLSX" "saved-$lang"
    expect "$rows accepted, of which $rows are unchanged" import "$kind" "saved-$lang/$kind-$lang.xlsx"
    saved "$kind-$lang.xlsx" "$CSV" "saved-$lang"
    expect "$rows accepted, of which $rows are unchanged" import "$kind" "saved-$lang/$kind-$lang.csv"
  done
done

for lang in en zh; do
  examples=examples
  [ "$lang" = zh ] && examples=示例
  for kind in households warnings; do
    "$program" template "$kind" --lang "$lang" --out "template-$kind-$lang.xlsx" 2>/dev/null
    saved "template-$kind-$lang.xlsx" "$XLSX" "saved-$lang"
    file="saved-$lang/template-$kind-$lang.xlsx"
    more=()
    [ "$kind" = warnings ] && more=(--department civil_affairs)
    expect "has a header, but no rows" import "$kind" "$file" --dry-run "${more[@]}"
    expect "1 " import "$kind" "$file" --sheet "$examples" --dry-run "${more[@]}"
  done
done
echo "LibreOffice opened and saved them, and they still import"
