// Calls of a client in Node, as a page in a browser and as another system makes them, in every protocol and form: the same
// answers, and the same errors.
//
// node journey.js DESCRIPTORS GATEWAY TOKENS, where DESCRIPTORS is what `buf build proto -o` writes and TOKENS a folder.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const { createFileRegistry, fromBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");
const { BinaryReader } = require("@bufbuild/protobuf/wire");
const { Code, ConnectError, createClient } = require("@connectrpc/connect");
const page = require("@connectrpc/connect-web");
const system = require("@connectrpc/connect-node");

const [descriptors, baseUrl, tokens] = process.argv.slice(2);
const contract = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));

const COUNTY = "441823000000";
const VILLAGE = "441823107200";
const valueOf = (name, local) => contract.getEnum(name).values.find(({ localName }) => localName === local).number;
const ILLNESS = valueOf("tongxin.monitoring.v1.Risk", "ILLNESS");
const DEPARTMENT = valueOf("tongxin.monitoring.v1.Department", "MEDICAL_INSURANCE");

// Who the caller is, and how long it waits.
const by = (person) => ({
  headers: { authorization: `Bearer ${readFileSync(join(tokens, person), "utf8").trim()}` },
  timeoutMs: 60_000,
});

const forms = (create, options) =>
  [true, false].map((useBinaryFormat) => [useBinaryFormat ? "proto" : "JSON", create({ baseUrl, useBinaryFormat, ...options })]);

// Whether a client can send a stream: pages cannot.
const transports = [
  ...forms(page.createConnectTransport).map(([form, transport]) => [`a page in Connect, ${form}`, transport, false]),
  ["a page in gRPC-Web", page.createGrpcWebTransport({ baseUrl }), false],
  ...["1.1", "2"].flatMap((httpVersion) => [
    ...forms(system.createConnectTransport, { httpVersion, sendCompression: system.compressionGzip, compressMinBytes: 0 }).map(
      ([form, transport]) => [`Connect, ${form}, compressed, HTTP/${httpVersion}`, transport, true],
    ),
    ...forms(system.createConnectTransport, { httpVersion, acceptCompression: [] }).map(([form, transport]) => [
      `Connect, ${form}, HTTP/${httpVersion}`,
      transport,
      true,
    ]),
    [`gRPC-Web, HTTP/${httpVersion}`, system.createGrpcWebTransport({ baseUrl, httpVersion }), true],
  ]),
  ["gRPC", system.createGrpcTransport({ baseUrl }), true],
];

// Texts of a message of google.rpc, whose form is not in the contract, by the path of their numbers.
function texts(bytes, path = "") {
  const found = {};
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type !== 2) {
      reader.skip(type);
      continue;
    }
    const value = reader.bytes();
    found[`${path}${number}`] = Buffer.from(value).toString();
    if (path === "" && number === 1) {
      try {
        Object.assign(found, texts(value, "1."));
      } catch {
        // A text, no message.
      }
    }
  }
  return found;
}

// Code, reason and field of what is refused.
async function refusal(call) {
  try {
    await call();
  } catch (error) {
    assert(error instanceof ConnectError, String(error));
    const detail = (type) => error.details.find((detail) => detail.type === `google.rpc.${type}`);
    const [info, bad] = [detail("ErrorInfo"), detail("BadRequest")];
    assert(info, `no reason: ${error}`);
    return [Code[error.code], texts(info.value)["1"], bad ? texts(bad.value)["1.1"] : undefined];
  }
  assert.fail("it was not refused");
}

async function* messages(...all) {
  yield* all;
}

// What somebody sees who calls in one way.
async function journey(transport, canStream) {
  const client = (name) => createClient(contract.getService(name), transport);
  const pairing = client("tongxin.pairing.v1.PairingService");
  const gateway = client("tongxin.gateway.v1.GatewayService");
  const villages = client("tongxin.monitoring.v1.VillageService");
  const signals = client("tongxin.monitoring.v1.SignalService");
  const seen = {};

  const { region } = await pairing.getRegion({ code: COUNTY }, by("hq"));
  seen.region = [region.name, region.level];
  const { scorecard } = await gateway.getScorecard({ regionCode: VILLAGE, asOf: { year: 2025, month: 12, day: 31 } }, by("hq"));
  seen.figures = scorecard.figures.map((figure) => [figure.indicatorId, String(figure.value)]);
  const { indicators } = await gateway.listIndicators({}, by("hq"));
  seen.indicators = indicators.length;

  const progress = [];
  for await (const answer of villages.checkHouseholds({ regionCode: VILLAGE }, by("hq"))) {
    progress.push(answer);
  }
  seen.checked = [progress.at(-1).done, String(progress.at(-1).defects)];

  seen.refused = {
    nobody: await refusal(() => pairing.getRegion({ code: COUNTY })),
    village: await refusal(() => pairing.endPairing({}, by("village"))),
    unknown: await refusal(() => pairing.getRegion({ code: "441899999999" }, by("hq"))),
    malformed: await refusal(() => pairing.getRegion({ code: "44" }, by("hq"))),
    stream: await refusal(async () => {
      for await (const _ of villages.checkHouseholds({ regionCode: "44" }, by("hq"))) {
        assert.fail("an answer");
      }
    }),
  };
  if (!canStream) {
    return seen;
  }

  const options = (department) => ({ part: { case: "options", value: { requestId: crypto.randomUUID(), department } } });
  const today = new Date(Date.now() + 8 * 3_600_000);
  const row = {
    idNumber: "441823198501039999",
    cause: ILLNESS,
    occurredOn: { year: today.getUTCFullYear(), month: today.getUTCMonth() + 1, day: today.getUTCDate() },
    reference: crypto.randomUUID(),
  };
  const rows = { part: { case: "rows", value: { rows: [row, { ...row, idNumber: "1", reference: crypto.randomUUID() }] } } };
  const answer = await signals.submitWarnings(messages(options(DEPARTMENT), rows), by("department"));
  seen.warned = [String(answer.received), String(answer.malformed), answer.errors.map(({ reason, field }) => [reason, field])];
  seen.refused.warning = await refusal(() => signals.submitWarnings(messages(options(DEPARTMENT + 1), rows), by("department")));
  seen.refused.empty = await refusal(() => signals.submitWarnings(messages({}), by("department")));
  return seen;
}

async function main() {
  let first;
  for (const [name, transport, canStream] of transports) {
    const seen = await journey(transport, canStream);
    console.log(`${name}: ${JSON.stringify({ ...seen, figures: seen.figures.length })}`);
    // gRPC comes last and has everything; whoever sees less sees the same.
    if (first) {
      const { warned, refused: { warning, empty, ...refused }, ...others } = seen;
      assert.deepEqual({ ...others, refused }, first.page, name);
      if (canStream) {
        first.stream ??= { warned, warning, empty };
        assert.deepEqual({ warned, warning, empty }, first.stream, name);
      }
    } else {
      first = { page: seen };
    }
  }
  assert.deepEqual(first.page.refused.malformed, ["InvalidArgument", "INVALID_FIELDS", "code"]);
  assert.deepEqual(first.page.refused.nobody, ["Unauthenticated", "TOKEN_MISSING", undefined]);
  assert.deepEqual(first.page.refused.unknown.slice(0, 2), ["NotFound", "REGION_NOT_FOUND"]);
  assert.deepEqual(first.stream.warned, ["1", "1", [["INVALID_FIELDS", "id_number"]]]);
  assert.deepEqual(first.stream.warning.slice(0, 2), ["PermissionDenied", "DEPARTMENT_MISMATCH"]);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
