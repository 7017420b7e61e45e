"""Secrets at rest can be read with any key on the ring, and with no other."""

import pytest
from django.test import override_settings

from apps.common import keyring

OLD, NEW = "o" * 40, "n" * 40


def test_what_was_encrypted_reads_back_and_shows_nothing() -> None:
    sealed = keyring.encrypt(b"JBSWY3DPEHPK3PXP")
    assert b"JBSWY3DPEHPK3PXP" not in sealed
    assert keyring.decrypt(sealed) == b"JBSWY3DPEHPK3PXP"


def test_an_older_key_on_the_ring_still_reads() -> None:
    with override_settings(HIMS_KEY_RING=[OLD]):
        sealed = keyring.encrypt(b"seed")
    with override_settings(HIMS_KEY_RING=[NEW, OLD]):
        assert keyring.decrypt(sealed) == b"seed"
        fresh = keyring.encrypt(b"seed")
    with override_settings(HIMS_KEY_RING=[NEW]):
        assert keyring.decrypt(fresh) == b"seed"
        with pytest.raises(keyring.Unreadable):
            keyring.decrypt(sealed)


def test_a_changed_byte_is_noticed() -> None:
    sealed = bytearray(keyring.encrypt(b"seed"))
    sealed[-3] ^= 1
    with pytest.raises(keyring.Unreadable):
        keyring.decrypt(bytes(sealed))


def test_a_secret_is_encrypted_with_the_first_key_of_the_ring() -> None:
    with override_settings(HIMS_KEY_RING=[NEW, OLD]):
        sealed = keyring.encrypt(b"seed")
    with override_settings(HIMS_KEY_RING=[OLD]), pytest.raises(keyring.Unreadable):
        keyring.decrypt(sealed)
