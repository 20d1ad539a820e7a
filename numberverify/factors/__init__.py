"""Other proofs, for when the network cannot tell: SMS, TOTP, recovery codes."""
