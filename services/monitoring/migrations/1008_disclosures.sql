-- Auditors read look-ups and reveals from the log itself, newest first: of a time, and of a subject.
CREATE INDEX event_disclosure ON event (record_time, event_id)
    WHERE event_type IN ('tongxin.monitoring.v1.HouseholdRevealed', 'tongxin.monitoring.v1.HouseholdsLookedUp');

CREATE INDEX event_disclosure_subject ON event (actor, record_time, event_id)
    WHERE event_type IN ('tongxin.monitoring.v1.HouseholdRevealed', 'tongxin.monitoring.v1.HouseholdsLookedUp');
