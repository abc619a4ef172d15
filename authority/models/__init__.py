"""The authority's models."""

from authority.models.challenges import Challenge, LoginSession
from authority.models.keys import SigningKey, WorkloadIssuer
from authority.models.requests import DeviceRequest, PushedRequest
from authority.models.sign_ins import Consent, LogoutNotice, SignIn
from authority.models.statistics import DailyCount, Problem
from authority.models.test_tokens import TestToken
from authority.models.tokens import OpaqueToken, RefreshToken, RevokedToken, SpentIdentifier, TokenFamily

__all__ = [
    "Challenge",
    "Consent",
    "DailyCount",
    "DeviceRequest",
    "LoginSession",
    "LogoutNotice",
    "OpaqueToken",
    "Problem",
    "PushedRequest",
    "RefreshToken",
    "RevokedToken",
    "SignIn",
    "SigningKey",
    "SpentIdentifier",
    "TestToken",
    "TokenFamily",
    "WorkloadIssuer",
]
