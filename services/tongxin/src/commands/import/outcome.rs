//! What a file comes to that is not sent, or of which rows are refused.

use anyhow::{Result, bail};
use tongxin_files::FileRow;
use tongxin_proto::batch::v1::ImportStatus;

use super::{
    args::Import,
    report::Report,
    source::{Content, Source},
};
use crate::lang::told;

/// The content of a file. If something is wrong with it, nothing is sent, and its lines are written as rejects if that is
/// wanted.
pub async fn checked<Row: FileRow>(source: &Source<Row>, args: &Import) -> Result<Content> {
    if let Some(rejects) = args.rejects.as_ref().filter(|rejects| rejects.exists()) {
        let file = rejects.display();
        bail!(told!(
            "--rejects: {file} is there already: move it away, or name another file",
            "--rejects：{file} 已存在：请先移走，或另选文件名"
        ));
    }
    let folder = args.rejects.as_ref().and_then(|rejects| rejects.parent());
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        let folder = folder.display();
        bail!(told!("--rejects: there is no folder {folder}", "--rejects：没有 {folder} 这个文件夹"));
    }
    let invalid = match source.check().await? {
        Ok(content) => return Ok(content),
        Err(invalid) => invalid,
    };
    if args.json {
        say!("{:#}", invalid.json())?;
    }
    let told = invalid.told().context(args.file.display().to_string());
    let Some(rejects) = args.rejects.as_ref().filter(|_| !invalid.by_line.is_empty()) else { return Err(told) };
    let is_cut = invalid.is_cut;
    let lines = source.write_rejects(rejects, invalid.by_line).await?;
    let file = rejects.display();
    note!(
        "{}",
        told!(
            "{lines} lines of the rows with faults are in {file}: nothing was sent, mend the original and import it whole",
            "有问题的行（共 {lines} 行）已写入 {file}；原文件没有提交任何内容，请在原文件中改正后整份导入"
        )
    );
    if is_cut {
        note!("{}", told!("there are more, which are not in it", "另有更多行未写入"));
    }
    Err(told)
}

/// Fails if rows were refused, and writes them as rejects if that is wanted.
pub async fn refused<Row: FileRow>(
    source: &Source<Row>,
    args: &Import,
    report: &Report,
    status: &ImportStatus,
) -> Result<()> {
    let ImportStatus { refused, rows_taken, .. } = status;
    if *refused == 0 {
        return Ok(());
    }
    let file = args.file.display();
    let Some(rejects) = &args.rejects else {
        bail!(told!(
            "{file}: {refused} of {rows_taken} rows were refused: correct them and import the file again, or write them to a file of \
             their own with --rejects",
            "{file}：{rows_taken} 行中有 {refused} 行被退回：请改正后再次导入，或用 --rejects 单独写出这些行"
        ));
    };
    let lines = source.write_rejects(rejects, report.by_line()).await?;
    let rejects = rejects.display();
    bail!(told!(
        "{file}: {refused} of {rows_taken} rows were refused: their {lines} lines are in {rejects}, with the reason beside each",
        "{file}：{rows_taken} 行中有 {refused} 行被退回：已写入 {rejects}（{lines} 行），每行附原因"
    ))
}
