"""Step cluster: a server of the student's own, on port 5432 of loopback."""

PORT = 5432
LOOPBACK = {"127.0.0.1", "::1"}


def addresses(machine):
    return {address for address, port, _ in machine.listeners() if port == PORT}


def test_cluster(machine):
    """There is a cluster in ~/work/pgdata
    ru: В ~/work/pgdata есть кластер
    """
    assert machine.exists("pgdata/PG_VERSION"), "~/work/pgdata is not a cluster; initdb makes one."


def test_port(machine):
    """Something listens on port 5432
    ru: На порту 5432 кто-то слушает
    """
    assert addresses(machine), "Nothing listens on port 5432. See: pg_ctl -D ~/work/pgdata status"


def test_only_this_machine(machine):
    """It listens on loopback and nowhere else
    ru: Он слушает только внутри этой машины
    """
    found = addresses(machine)
    assert found, "Nothing listens on port 5432."
    assert found <= LOOPBACK, (
        f"Port 5432 is open on {', '.join(sorted(found - LOOPBACK))}: with 'trust' that means open "
        "to everybody. See listen_addresses in pgdata/postgresql.conf."
    )


def test_answers(machine):
    """PostgreSQL answers to student
    ru: PostgreSQL отвечает пользователю student
    """
    (row,) = machine.sql("SELECT version() AS version")
    assert row["version"].startswith("PostgreSQL"), f"This is not PostgreSQL: {row['version']}"
