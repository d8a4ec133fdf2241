"""Clients of monitoring: a village, a town, a county, a department, and somebody from another county.

A household is registered and observed, a department warns of it, the village verifies the warning and opens a case,
and the case goes step by step to the county's approval: the scorecard counts one household more under monitoring.

Usage: monitoring.py PROTO_FOLDER GATEWAY_URL TOKEN_FOLDER
"""

import datetime
import pathlib
import sys

import contract
from contract import date, refused, request_id
from grpc import StatusCode

VILLAGE = "441823107200"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(digits: str) -> str:
    """An ID number with its check digit (GB 11643)."""
    return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS)) % 11]


def with_another_check_digit(number: str) -> str:
    return number[:17] + ("2" if number[17] == "1" else "1")


HEAD, SPOUSE = id_number("44010019790307" + "131"), id_number("44010019810512" + "132")


def main(proto: str, gateway: str, tokens: str) -> None:
    contract.generate(pathlib.Path(proto))
    channel = contract.channel(gateway)
    people = {file.name: contract.token(file) for file in pathlib.Path(tokens).iterdir()}
    journey = Journey(channel, people)
    household = journey.registers()
    journey.observes(household)
    case = journey.opens_a_case(household, journey.is_warned_of(household))
    journey.goes_to_the_end(case)
    journey.reads_the_funnel()


def days_ago(days: int):
    return date(contract.today() - datetime.timedelta(days=days))


class Journey:
    def __init__(self, channel, people) -> None:
        from tongxin.monitoring.v1 import (
            case_service_pb2_grpc,
            household_service_pb2_grpc,
            observation_service_pb2_grpc,
            signal_service_pb2_grpc,
        )

        self.people = people
        self.households = household_service_pb2_grpc.HouseholdServiceStub(channel)
        self.observations = observation_service_pb2_grpc.ObservationServiceStub(channel)
        self.signals = signal_service_pb2_grpc.SignalServiceStub(channel)
        self.cases = case_service_pb2_grpc.CaseServiceStub(channel)
        self.monitored = contract.Figure(channel, people["clerk"], VILLAGE, "households_under_monitoring")

    def registers(self) -> str:
        from tongxin.monitoring.v1 import household_pb2 as kinds, household_service_pb2 as api

        def member(name: str, number: str, relation: int, health: int) -> kinds.MemberDraft:
            return kinds.MemberDraft(
                name=name,
                id_number=number,
                relation=relation,
                health=[health],
                labour=kinds.LABOUR_ABILITY_ORDINARY,
                schooling=kinds.SCHOOLING_NOT_AT_SCHOOL,
                insurances=[kinds.INSURANCE_RESIDENT_MEDICAL],
                work=kinds.WORK_FARMING,
            )

        def request(head: str) -> api.RegisterHouseholdRequest:
            draft = kinds.HouseholdDraft(
                region_code=VILLAGE,
                support=kinds.SOCIAL_SUPPORT_NONE,
                registered_on=days_ago(200),
                members=[
                    member("陈伯", head, kinds.RELATION_HEAD, kinds.HEALTH_SERIOUS_ILLNESS),
                    member("李姨", SPOUSE, kinds.RELATION_SPOUSE, kinds.HEALTH_HEALTHY),
                ],
            )
            return api.RegisterHouseholdRequest(request_id=request_id(), household=draft)

        register, clerk = self.households.RegisterHousehold, self.people["clerk"]
        refused(register, request(HEAD), code=StatusCode.UNAUTHENTICATED, reason="TOKEN_MISSING")
        said = refused(
            register,
            request(with_another_check_digit(HEAD)),
            metadata=clerk,
            code=StatusCode.INVALID_ARGUMENT,
            reason="ID_NUMBER_INVALID",
        )
        assert HEAD[:17] not in said, said
        household = register(request(HEAD), metadata=clerk).household.household_id

        found = self.households.FindHouseholds(api.FindHouseholdsRequest(id_number=SPOUSE), metadata=clerk).households
        assert [one.household_id for one in found] == [household], found
        assert HEAD not in str(found), "an answer shows a whole ID number"
        self.is_hidden(household)
        return household

    def is_hidden(self, household: str) -> None:
        """Elsewhere it reads like one that does not exist, and departments read none."""
        from tongxin.monitoring.v1 import household_service_pb2 as api

        def get(household: str, person: str, code: StatusCode, reason: str) -> str:
            request = api.GetHouseholdRequest(household_id=household)
            return refused(
                self.households.GetHousehold, request, metadata=self.people[person], code=code, reason=reason
            )

        absent = request_id()
        there, nowhere = (
            get(one, "elsewhere", StatusCode.NOT_FOUND, "HOUSEHOLD_NOT_FOUND") for one in (household, absent)
        )
        assert there.replace(household, absent) == nowhere, (there, nowhere)
        get(household, "department", StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")

    def observes(self, household: str) -> None:
        from tongxin.monitoring.v1 import observation_pb2, observation_service_pb2 as api

        # The end of the month before last: cases of the last weeks are judged by it.
        last_month = contract.today().replace(day=1) - datetime.timedelta(days=1)
        window_ends_on = last_month.replace(day=1) - datetime.timedelta(days=1)
        draft = observation_pb2.ObservationDraft(
            household_id=household,
            window_ends_on=date(window_ends_on),
            wages_fen=2_000_000,
            out_of_pocket_fen=1_500_000,
            schooling_guaranteed=True,
            medical_guaranteed=True,
            housing_grade=observation_pb2.HOUSING_GRADE_B,
            water_safe=True,
        )
        request = api.RecordObservationRequest(request_id=request_id(), observation=draft)
        recorded = self.observations.RecordObservation(request, metadata=self.people["clerk"]).observation
        assert (recorded.persons, recorded.per_capita_net_income_fen) == (2, 1_000_000), recorded

    def is_warned_of(self, household: str) -> str:
        """A department warns by ID number; the village finds the signal and verifies it."""
        from tongxin.monitoring.v1 import observation_pb2, signal_pb2, signal_service_pb2 as api

        def warning(number: str, reference: str) -> signal_pb2.Warning:
            return signal_pb2.Warning(
                id_number=number, cause=observation_pb2.RISK_ILLNESS, occurred_on=days_ago(24), reference=reference
            )

        options = api.WarningOptions(request_id=request_id(), department=signal_pb2.DEPARTMENT_MEDICAL_INSURANCE)
        rows = [warning(HEAD, "2026-1"), warning(with_another_check_digit(SPOUSE), "2026-2")]
        messages = [api.SubmitWarningsRequest(options=options), api.SubmitWarningsRequest(rows={"rows": rows})]
        of_others = api.WarningOptions(request_id=request_id(), department=signal_pb2.DEPARTMENT_PUBLIC_SECURITY)
        refused(
            self.signals.SubmitWarnings,
            iter([api.SubmitWarningsRequest(options=of_others), messages[1]]),
            metadata=self.people["department"],
            code=StatusCode.PERMISSION_DENIED,
            reason="DEPARTMENT_MISMATCH",
        )
        answer = self.signals.SubmitWarnings(iter(messages), metadata=self.people["department"])
        assert (answer.received, answer.malformed) == (1, 1), answer
        assert [(error.row, error.reason) for error in answer.errors] == [(2, "ID_NUMBER_INVALID")], answer

        clerk = self.people["clerk"]
        request = api.ListSignalsRequest(household_id=household, state=signal_pb2.SIGNAL_STATE_OPEN)

        def warned_signals() -> list:
            signals = self.signals.ListSignals(request, metadata=clerk).signals
            departments = [{source.department for source in signal.sources} for signal in signals]
            ours = signal_pb2.DEPARTMENT_MEDICAL_INSURANCE
            return [signal for signal, warning in zip(signals, departments) if ours in warning]

        # The answer comes before the warning is matched.
        warned = contract.eventually(warned_signals)
        assert len(warned) == 1, warned
        self.signals.DecideSignal(
            api.DecideSignalRequest(
                request_id=request_id(),
                signal_id=warned[0].signal_id,
                verified=True,
                reason="the hospital bills were seen",
                decided_on=days_ago(21),
            ),
            metadata=clerk,
        )
        return warned[0].signal_id

    def opens_a_case(self, household: str, signal: str) -> str:
        from tongxin.monitoring.v1 import case_pb2, case_service_pb2 as api, observation_pb2

        draft = api.CaseDraft(
            case_id=request_id(),
            household_id=household,
            category="development",
            risks=[observation_pb2.RISK_ILLNESS],
            opened_on=days_ago(20),
            signal_ids=[signal],
        )
        # Its field has the name of a word of Python's.
        request = api.OpenCaseRequest(request_id=request_id(), **{"case": draft})
        opened = getattr(self.cases.OpenCase(request, metadata=self.people["clerk"]), "case")
        assert opened.stage == case_pb2.STAGE_IDENTIFYING, opened
        return opened.case_id

    def goes_to_the_end(self, case: str) -> None:
        from tongxin.monitoring.v1 import case_pb2, case_service_pb2 as api, rule_set_pb2 as steps

        def request(step: int, days: int) -> api.RecordStepRequest:
            record = api.StepRecord(case_id=case, step=step, occurred_on=days_ago(days))
            return api.RecordStepRequest(request_id=request_id(), step=record)

        def passes(step: int, person: str, days: int):
            return getattr(self.cases.RecordStep(request(step, days), metadata=self.people[person]), "case")

        before = self.monitored.value()
        after_first = passes(steps.STEP_AUTHORISATION, "clerk", 20)
        assert after_first.next_step == steps.STEP_HOME_VERIFICATION, after_first
        refused(
            self.cases.RecordStep,
            request(steps.STEP_HOME_VERIFICATION, 19),
            metadata=self.people["clerk"],
            code=StatusCode.FAILED_PRECONDITION,
            reason="VERIFIER_IS_PROPOSER",
        )
        passes(steps.STEP_HOME_VERIFICATION, "colleague", 19)
        passes(steps.STEP_DATA_COMPARISON, "clerk", 18)
        passes(steps.STEP_DEMOCRATIC_REVIEW, "clerk", 17)
        passes(steps.STEP_NOTICE_POSTED, "clerk", 16)
        passes(steps.STEP_NOTICE_ENDED, "clerk", 10)
        passes(steps.STEP_TOWN_REVIEW, "town", 9)
        self.monitored.follows(before)
        approved = passes(steps.STEP_COUNTY_APPROVAL, "county", 8)
        assert approved.stage == case_pb2.STAGE_MONITORED, approved
        self.monitored.follows(before + 1)

    def reads_the_funnel(self) -> None:
        from tongxin.monitoring.v1 import signal_pb2, signal_service_pb2 as api

        # `from` is a word of Python's.
        period = {"from": days_ago(30), "until": days_ago(0)}
        request = api.GetFunnelRequest(region_code=VILLAGE, **period)
        rows = self.signals.GetFunnel(request, metadata=self.people["clerk"]).rows
        warned = [row for row in rows if row.department == signal_pb2.DEPARTMENT_MEDICAL_INSURANCE]
        counts = [(row.signals, row.verified, row.identified, row.removed) for row in warned]
        assert counts == [(1, 1, 1, 0)], rows
        print("funnel:", *counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
