"""Proof, on a user's rules and data, that a backtest saw no future and a bot decides alike."""

from __future__ import annotations

from riskguard.history.verifying.cuts import Cuts
from riskguard.history.verifying.differences import Cause, Difference
from riskguard.history.verifying.proofs import Verified, verify
from riskguard.history.verifying.starts import Starts
from riskguard.history.verifying.stepping import Steps
from riskguard.history.verifying.subject import Subject

__all__ = ["Cause", "Cuts", "Difference", "Starts", "Steps", "Subject", "Verified", "verify"]
