"""What clients of the services share: code made from the proto files by grpcio-tools, and how errors are read."""

import atexit
import datetime
import pathlib
import shutil
import sys
import tempfile
import time
import uuid

import grpc
from grpc_tools import protoc

# Of google.rpc: how errors come, in the trailing metadata. `pip install grpcio-status` has the same.
DETAILS = """
syntax = "proto3";
package google.rpc;
import "google/protobuf/any.proto";
message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
"""

# A scorecard follows within a moment; this only ends the waiting.
PATIENCE = 10

# What is promised: a scorecard follows within a second.
PROMISED = 1


def generate(proto: pathlib.Path) -> None:
    """Makes the modules and lets Python find them."""
    target = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, target)
    (pathlib.Path(target) / "details.proto").write_text(DETAILS)
    roots = [proto / "tongxin", proto / "third_party"]
    # Named as they import each other: a file that goes by two names is two files to protoc.
    files = [
        str(path.relative_to(proto if root.name == "tongxin" else root))
        for root in roots
        for path in sorted(root.glob("**/*.proto"))
    ]
    import grpc_tools

    builtin = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    includes = [f"-I{proto}", f"-I{proto / 'third_party'}", f"-I{builtin}", f"-I{target}"]
    outputs = [f"--python_out={target}", f"--grpc_python_out={target}"]
    if protoc.main(["protoc", *includes, *outputs, "details.proto", *files]) != 0:
        raise SystemExit("the proto files do not compile")
    sys.path.insert(0, target)


def channel(gateway: str) -> grpc.Channel:
    return grpc.insecure_channel(gateway.removeprefix("http://"))


def token(file: pathlib.Path) -> list[tuple[str, str]]:
    """The metadata of a call by the bearer of a token."""
    return [("authorization", f"Bearer {file.read_text().strip()}")]


def request_id() -> str:
    return str(uuid.uuid4())


def today() -> datetime.date:
    """The business day, which is that of Shanghai."""
    return datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()


def date(day: datetime.date):
    from google.type import date_pb2

    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


class Figure:
    """One figure of a scorecard."""

    def __init__(self, channel: grpc.Channel, metadata, region: str, indicator: str) -> None:
        from tongxin.gateway.v1 import gateway_service_pb2_grpc

        self.gateway = gateway_service_pb2_grpc.GatewayServiceStub(channel)
        self.metadata, self.region, self.indicator = metadata, region, indicator

    def value(self) -> int:
        from tongxin.gateway.v1 import gateway_service_pb2

        request = gateway_service_pb2.GetScorecardRequest(region_code=self.region)
        figures = self.gateway.GetScorecard(request, metadata=self.metadata).scorecard.figures
        return next(figure.value for figure in figures if figure.indicator_id == self.indicator)

    def follows(self, expected: int) -> float:
        """Waits until it has a value; says and returns how many seconds that took."""
        began = time.monotonic()
        while (value := self.value()) != expected:
            if time.monotonic() - began > PATIENCE:
                raise SystemExit(f"{self.indicator} is {value} after {PATIENCE} s, not {expected}")
        took = time.monotonic() - began
        print(f"{self.indicator} is {expected} after {took * 1000:.0f} ms")
        return took


def eventually(found):
    """Waits until there is something."""
    began = time.monotonic()
    while not (what := found()):
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"nothing after {PATIENCE} s")
    return what


def refused(call, *arguments, code: grpc.StatusCode, reason: str, **options) -> str:
    """Makes a call that has to be refused, and returns what it said."""
    import details_pb2

    try:
        call(*arguments, **options)
    except grpc.RpcError as error:
        trailing = dict(error.trailing_metadata())
        status = details_pb2.Status.FromString(trailing["grpc-status-details-bin"])
        info = details_pb2.ErrorInfo()
        reasons = [info.reason for detail in status.details if detail.Unpack(info)]
        if error.code() != code or reasons != [reason]:
            raise SystemExit(f"{error.code()} {reasons} {error.details()!r}, not {code} {reason}")
        print(f"refused: {reason}: {error.details()}")
        return error.details()
    raise SystemExit(f"what should be refused as {reason} was accepted")
