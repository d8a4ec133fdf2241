//! Maps the contract's enumerations to the domain's.

use tongxin_proto::{monitoring::v1, same_names};

use crate::domain::{
    case::{Emergency, RemovalKind, StageName},
    disclosure::LookUpKey,
    household::{RevealPurpose, SocialSupport},
    income::IncomeKind,
    measure::MeasureFamily,
    member::{Health, Insurance, LabourAbility, Relation, Schooling, Sex, Work},
    observation::HousingGrade,
    procedure::{DayKind, Step},
    risk::{Disaster, Risk},
    signal::{Department, SignalKind, SignalState},
};

same_names!(v1::Sex, Sex, Male, Female);
same_names!(v1::Relation, Relation, Head, Spouse, Child, ChildInLaw, Grandchild, Parent, Grandparent, Sibling, Other);
same_names!(v1::Health, Health, Healthy, ChronicDisease, SeriousIllness, Disabled);
same_names!(v1::LabourAbility, LabourAbility, Ordinary, Skilled, Weak, Lost, None);
same_names!(
    v1::Schooling,
    Schooling,
    NotAtSchool,
    BeforeSchool,
    Primary,
    Junior,
    Senior,
    Vocational,
    College,
    DroppedOut
);
same_names!(v1::Insurance, Insurance, ResidentMedical, EmployeeMedical, ResidentPension, EmployeePension, AntiPoverty);
same_names!(v1::Work, Work, None, Farming, JobInCounty, JobInProvince, JobElsewhere, PublicServicePost, Business);
same_names!(v1::SocialSupport, SocialSupport, None, Subsistence, ExtremeDifficulty);
same_names!(v1::RevealPurpose, RevealPurpose, HomeVisit, Payment, Comparison, OwnRequest, Audit);
same_names!(v1::LookUpKey, LookUpKey, IdNumber, Name);
same_names!(v1::HousingGrade, HousingGrade, A, B, C, D);
same_names!(
    v1::Risk,
    Risk,
    Illness,
    Schooling,
    Disability,
    NaturalDisaster,
    Accident,
    BusinessFailure,
    UnstableEmployment,
    LackOfLabour,
    Housing,
    Water,
    Other
);
same_names!(v1::Disaster, Disaster, Flood, Geological, Drought, Biological, Weather, Earthquake, Other);
same_names!(
    v1::Department,
    Department,
    CivilAffairs,
    MedicalInsurance,
    Education,
    DisabledPersonsFederation,
    HumanResources,
    EmergencyManagement,
    Health,
    Housing,
    Water,
    Agriculture,
    PublicSecurity,
    Justice,
    MassOrganisation
);
same_names!(
    v1::Step,
    Step,
    Authorisation,
    HomeVerification,
    DataComparison,
    DemocraticReview,
    NoticePosted,
    NoticeEnded,
    TownReview,
    CountyApproval
);
same_names!(v1::DayKind, DayKind, Calendar, Working);
same_names!(
    v1::MeasureFamily,
    MeasureFamily,
    Industry,
    Employment,
    Finance,
    PublicServicePost,
    Housing,
    Water,
    Health,
    CompulsoryEducation,
    OtherEducation,
    ComprehensiveSecurity,
    SocialSupport,
    Relocation,
    LivingConditions,
    Infrastructure
);
same_names!(v1::SignalKind, SignalKind, SelfReport, Sweep, DepartmentWarning, Screening);
same_names!(v1::SignalState, SignalState, Open, Verified, Refuted);
same_names!(v1::IncomeKind, IncomeKind, Operating, Contracting, Investment, Other);
same_names!(v1::Stage, StageName, Identifying, Monitored, Removing, Removed, Refused);
same_names!(v1::RemovalKind, RemovalKind, Assisted, Natural);
same_names!(v1::Emergency, Emergency, Disaster, Accident);
