"""A government system's client of pairing.

Registers two organisations, pairs them, ends the pairing, and sees the scorecard follow each time.

Usage: journey.py PROTO_FOLDER GATEWAY_URL TOKEN_FILE
"""

import datetime
import pathlib
import sys

import contract
from contract import date, request_id
from grpc import StatusCode

VILLAGE = "441823107200"


def main(proto: str, gateway: str, token_file: str) -> None:
    contract.generate(pathlib.Path(proto))
    journey(contract.channel(gateway), contract.token(pathlib.Path(token_file)))


def journey(channel, metadata) -> None:
    from tongxin.pairing.v1 import organisation_pb2, pairing_pb2, pairing_service_pb2 as api, pairing_service_pb2_grpc

    pairing = pairing_service_pb2_grpc.PairingServiceStub(channel)
    supporters = contract.Figure(channel, metadata, VILLAGE, "supporter_party_organisations_paired")

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
    before = supporters.value()
    today = contract.today()
    draft = pairing_pb2.PairingDraft(
        kind=pairing_pb2.PAIRING_KIND_PARTY,
        supporter_id=supporter,
        recipient_id=recipient,
        starts_on=date(today - datetime.timedelta(days=30)),
    )
    established = pairing.EstablishPairing(
        api.EstablishPairingRequest(request_id=request_id(), pairing=draft), metadata=metadata
    ).pairing
    supporters.follows(before + 1)

    pairing.EndPairing(
        api.EndPairingRequest(
            request_id=request_id(), pairing_id=established.pairing_id, ends_on=date(today), reason="the agreement ended"
        ),
        metadata=metadata,
    )
    supporters.follows(before)

    contract.refused(
        pairing.EstablishPairing,
        api.EstablishPairingRequest(request_id="not a uuid"),
        metadata=metadata,
        code=StatusCode.INVALID_ARGUMENT,
        reason="INVALID_FIELDS",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
