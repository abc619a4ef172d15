"""What the authority keeps for itself."""

from authority.models.keys import SigningKey, WorkloadIssuer
from authority.models.requests import DeviceRequest, PushedRequest
from authority.models.sign_ins import Consent, LogoutNotice, SignIn
from authority.models.statistics import DailyCount, Problem
from authority.models.test_tokens import TrialToken
from authority.models.tokens import Family, OpaqueToken, RefreshToken, RevokedToken, SpentIdentifier

__all__ = [
    "Consent",
    "DailyCount",
    "DeviceRequest",
    "Family",
    "LogoutNotice",
    "OpaqueToken",
    "Problem",
    "PushedRequest",
    "RefreshToken",
    "RevokedToken",
    "SignIn",
    "SigningKey",
    "SpentIdentifier",
    "TrialToken",
    "WorkloadIssuer",
]
