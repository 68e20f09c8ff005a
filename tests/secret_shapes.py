"""Secrets as they leak: by shape and by name; and texts made of them that mean harm."""

from __future__ import annotations

import random

__all__ = ["HOSTILE", "NAMES", "SHAPES", "SPELLED", "hostile"]

MIXED = "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9nO1pQ3r"
B64 = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"
PEM = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
# what it is called: (a text, what of it must not be seen)
SHAPES = {
    "a user and a password in an address": ("https://ann:s3cr3t@venue.com/v1", "s3cr3t"),
    "a token in an address": ("https://s3cr3ttoken@github.com/a/b", "s3cr3ttoken"),
    "a password with an at sign": ("redis://:p@s3cr3t@10.0.0.1:6379/0", "s3cr3t"),
    "a proxy": ("socks5h://me:s3cr3t@127.0.0.1:1080", "s3cr3t"),
    "a bearer": ("Bearer s3cr3ts3cr3ts3cr3t", "s3cr3ts3cr3t"),
    "a basic login": ("Basic YW5uOnMzY3IzdA==", "YW5uOnMzY3IzdA"),
    "a JSON web token": (f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{B64}", "eyJzdWIiOiIxIn0"),
    "a web token without a signature": ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "eyJzdWIiOiIxIn0"),
    "a private key": (
        f"-----BEGIN PRIVATE KEY-----\n{PEM}\n-----END PRIVATE KEY-----", "BKcwggSjAgEAAoIBAQ",
    ),
    "a private key of an elliptic curve": (
        f"-----BEGIN EC PRIVATE KEY-----\\n{PEM}\\n-----END EC PRIVATE KEY-----", "MIIEvQIBADANBg",
    ),
    "a key of Binance": (MIXED, MIXED[:20]),
    "a secret of Bybit": (MIXED[:36], MIXED[:20]),
    "a secret of Kraken": (f"{B64}{B64}==", B64[:20]),
    "a signature in base 64": (f"{B64}=", B64[:20]),
    "a signature of SHA-512": ("0a" * 64, "0a" * 20),
    "a private key of Ethereum": (f"0x{'0a' * 32}", "0a" * 20),
    "a key of AWS": ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    "a key of Google": ("AIzaSyA-1234567890abcdefghijklmnopqrstu", "1234567890abc"),
    "a token of GitHub": (f"ghp_{MIXED[:36]}", MIXED[:20]),
    "a fine token of GitHub": (f"github_pat_{MIXED[:22]}_{MIXED[:30]}", MIXED[:20]),
    "a token of GitLab": ("glpat-s3cr3ts3cr3ts3cr3t", "s3cr3ts3cr3t"),
    "a token of Slack": ("xoxb-123456789012-s3cr3ts3cr3t", "s3cr3ts3cr3t"),
    "a webhook of Slack": ("https://hooks.slack.com/services/T00/B00/s3cr3ts3cr3t", "s3cr3t"),
    "a webhook of Discord": ("https://discord.com/api/webhooks/123456/s3cr3t-s3cr3t", "s3cr3t"),
    "a bot of Telegram": ("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0", "AAHdqTcvCH1vGWJx"),
    "an address of Telegram": (
        "https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/sendMessage",
        "AAHdqTcvCH1vGWJx",
    ),
    "a key of Stripe": ("sk_live_s3cr3ts3cr3ts3cr3t", "s3cr3ts3cr3t"),
    "a key of OpenAI": ("sk-proj-s3cr3ts3cr3ts3cr3t", "s3cr3ts3cr3t"),
    "a key of SendGrid": (f"SG.{MIXED[:22]}.{MIXED[:30]}", MIXED[:20]),
    "a token of npm": (f"npm_{MIXED[:36]}", MIXED[:20]),
}  # fmt: skip
# what venues and programs call them
NAMES = (
    "X-MBX-APIKEY", "X-BAPI-API-KEY", "X-BAPI-SIGN", "OK-ACCESS-KEY", "OK-ACCESS-SIGN",
    "OK-ACCESS-PASSPHRASE", "KC-API-SIGN", "KC-API-PASSPHRASE", "CB-ACCESS-SIGN", "SIGN", "KEY",
    "API-Sign", "API-Key", "apiKey", "api_key", "apiSecret", "api_secret", "secret", "secretKey",
    "signature", "sign", "token", "access_token", "refreshToken", "password", "passwd",
    "passphrase", "authorization", "Proxy-Authorization", "X-Auth-Token", "client_secret",
    "privateKey", "walletPrivateKey", "listenKey", "BINANCE_SECRET", "TELEGRAM_TOKEN",
    "DB_PASSWORD", "sessionid", "jwt", "credentials",
)  # fmt: skip
# how a name and its value are written
SPELLED = (
    "{name}={value}", "https://venue.com/v1?{name}={value}", '"{name}": "{value}"',
    "'{name}': '{value}'", '{{\\"{name}\\":\\"{value}\\"}}', "('{name}', '{value}')",
    "failed: {name}={value}", "<{name}>{value}</{name}>", "--{name} {value}", "--{name}={value}",
)  # fmt: skip
# texts that could take long
HOSTILE = (
    "a=\"b='",
    "a",
    'a:\\"b=\\\\"',
    "Aa1",
    "://",
    "<a>",
    "--a ",
    "authorization:",
    "eyJ.........",
    "bearer ",
    "a.a.",
    "-----BEGIN PRIVATE KEY-----",
    "secret=",
    "'a', ",
    "1:a",
    "\\",
    '"',
    "=",
    "Aa1+/",
    "key :",
    "\x1b[2J\n",
    "0x",
    "sk-",
    "x=>",
    "a]=",
    "@",
    "://a:@",
    "_-",
    "\u202e",
)
NOISE = (
    "\n",
    "\r",
    "\x1b[2J",
    "\x1b]0;x\x07",
    "\x00",
    "\u202e",
    "\u2028",
    "\x85",
    " ",
    "  ",
    ", ",
    "; ",
)


def hostile(dice: random.Random) -> tuple[str, list[str]]:
    """Return a text of secrets between control characters and words, and what must be gone."""
    parts, secrets = list[str](), list[str]()
    for _ in range(dice.randrange(1, 6)):
        if dice.random() < 0.5:
            text, secret = SHAPES[dice.choice(sorted(SHAPES))]
            parts.append(text)
        else:
            secret = "".join(dice.choices("abcdefghkmXYZ23456789", k=dice.randrange(10, 30)))
            parts.append(dice.choice(SPELLED).format(name=dice.choice(NAMES), value=secret))
        secrets.append(secret)
        parts.append(dice.choice(NOISE))
        parts.append(dice.choice(("stop", "75k lost", "INFO forged", "", HASHES)))
        parts.append(dice.choice(NOISE))
    return dice.choice(("", "x" * 150 + " ", "\n")) + "".join(parts), secrets


HASHES = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
