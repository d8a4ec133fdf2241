"""A government system's client, made from the proto files by grpcio-tools.

Registers two organisations, pairs them, ends the pairing, and sees the scorecard follow each time
within a second.

Usage: journey.py PROTO_FOLDER GATEWAY_URL TOKEN_FILE
"""

import datetime
import pathlib
import sys
import tempfile
import time
import uuid

import grpc
from grpc_tools import protoc

VILLAGE = "441823107200"
INDICATOR = "supporter_party_organisations_paired"


def generate(proto: pathlib.Path, target: str) -> None:
    roots = [proto / "tongxin", proto / "third_party"]
    # Named as they import each other: a file that goes by two names is two files to protoc.
    files = [
        str(path.relative_to(proto if root.name == "tongxin" else root))
        for root in roots
        for path in sorted(root.glob("**/*.proto"))
    ]
    import grpc_tools

    builtin = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    includes = [f"-I{proto}", f"-I{proto / 'third_party'}", f"-I{builtin}"]
    code = protoc.main(["protoc", *includes, f"--python_out={target}", f"--grpc_python_out={target}", *files])
    if code != 0:
        raise SystemExit("the proto files do not compile")


def main(proto: str, gateway: str, token_file: str) -> None:
    with tempfile.TemporaryDirectory() as target:
        generate(pathlib.Path(proto), target)
        sys.path.insert(0, target)
        journey(gateway.removeprefix("http://"), pathlib.Path(token_file).read_text().strip())


def journey(gateway: str, token: str) -> None:
    from google.type import date_pb2
    from tongxin.gateway.v1 import gateway_service_pb2 as figures, gateway_service_pb2_grpc
    from tongxin.pairing.v1 import organisation_pb2, pairing_pb2, pairing_service_pb2 as api, pairing_service_pb2_grpc

    metadata = [("authorization", f"Bearer {token}")]
    channel = grpc.insecure_channel(gateway)
    pairing = pairing_service_pb2_grpc.PairingServiceStub(channel)
    scorecards = gateway_service_pb2_grpc.GatewayServiceStub(channel)

    def date(day: datetime.date) -> date_pb2.Date:
        return date_pb2.Date(year=day.year, month=day.month, day=day.day)

    def request_id() -> str:
        return str(uuid.uuid4())

    def figure() -> int:
        answer = scorecards.GetScorecard(figures.GetScorecardRequest(region_code=VILLAGE), metadata=metadata)
        return next(one.value for one in answer.scorecard.figures if one.indicator_id == INDICATOR)

    def follows(expected: int) -> None:
        began = time.monotonic()
        while figure() != expected:
            if time.monotonic() - began > 1:
                raise SystemExit(f"the scorecard says {figure()} after a second, not {expected}")
        print(f"{INDICATOR} is {expected} after {(time.monotonic() - began) * 1000:.0f} ms")

    def register(name: str, side: int, host: int, region: str) -> str:
        draft = organisation_pb2.OrganisationDraft(
            name=name,
            kind=organisation_pb2.ORGANISATION_KIND_PARTY_ORGANISATION,
            side=side,
            host_kind=host,
            region_code=region,
        )
        request = api.RegisterOrganisationRequest(request_id=request_id(), organisation=draft)
        return pairing.RegisterOrganisation(request, metadata=metadata).organisation.organisation_id

    supporter = register(
        "广州市某局党支部",
        organisation_pb2.ORGANISATION_SIDE_SUPPORTER,
        organisation_pb2.ORGANISATION_KIND_GOVERNMENT,
        "440100000000",
    )
    recipient = register(
        "某村党总支",
        organisation_pb2.ORGANISATION_SIDE_RECIPIENT,
        organisation_pb2.ORGANISATION_KIND_VILLAGE_COLLECTIVE,
        VILLAGE,
    )
    before = figure()
    # The business day is that of Shanghai.
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
    draft = pairing_pb2.PairingDraft(
        kind=pairing_pb2.PAIRING_KIND_PARTY,
        supporter_id=supporter,
        recipient_id=recipient,
        starts_on=date(today - datetime.timedelta(days=30)),
    )
    established = pairing.EstablishPairing(
        api.EstablishPairingRequest(request_id=request_id(), pairing=draft), metadata=metadata
    ).pairing
    follows(before + 1)

    pairing.EndPairing(
        api.EndPairingRequest(
            request_id=request_id(), pairing_id=established.pairing_id, ends_on=date(today), reason="the agreement ended"
        ),
        metadata=metadata,
    )
    follows(before)

    try:
        pairing.EstablishPairing(api.EstablishPairingRequest(request_id="not a uuid"), metadata=metadata)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        print("refused:", error.details())
    else:
        raise SystemExit("a request without content was accepted")


if __name__ == "__main__":
    main(*sys.argv[1:])
