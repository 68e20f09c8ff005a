"""x"""
from __future__ import annotations
def lint(rules, found): pass
