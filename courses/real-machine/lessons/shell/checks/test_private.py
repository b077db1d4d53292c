"""Step private: the four modes."""

MODES = {"keys": 0o700, "keys/backup.key": 0o600, "share": 0o755, "share/notice.txt": 0o644}


def assert_mode(machine, path):
    wanted = MODES[path]
    assert machine.exists(path), f"~/work/{path} is gone. It must stay where it was."
    found = machine.stat(path).mode & 0o7777
    assert found == wanted, f"~/work/{path} has mode {found:03o}; wanted is {wanted:03o}."


def test_key_folder(machine):
    """Only you can look into keys
    ru: В keys можете заглянуть только вы
    """
    assert_mode(machine, "keys")


def test_key(machine):
    """Only you can read and write backup.key
    ru: backup.key можете читать и писать только вы
    """
    assert_mode(machine, "keys/backup.key")


def test_shared_folder(machine):
    """Everybody can enter share and list it
    ru: В share может зайти каждый
    """
    assert_mode(machine, "share")


def test_notice(machine):
    """Everybody can read notice.txt, and only you can change it
    ru: notice.txt может прочесть каждый, а изменить только вы
    """
    assert_mode(machine, "share/notice.txt")
