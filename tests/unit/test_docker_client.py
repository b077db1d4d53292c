"""The connection to Docker believes its own authority, whatever else the environment names."""

from hexhub.docker_client import DockerClient


def test_the_environments_authority_is_not_asked(monkeypatch):
    """A company's bundle in REQUESTS_CA_BUNDLE does not take the place of Docker's authority."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/of-a-company.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    client = DockerClient(base_url="tcp://192.0.2.7:2376", version="1.41")
    client.verify = "/srv/docker/ca.pem"
    settings = client.merge_environment_settings("https://192.0.2.7:2376", {}, None, None, None)
    assert settings["verify"] == "/srv/docker/ca.pem"
    assert not settings["proxies"]
    client.close()
