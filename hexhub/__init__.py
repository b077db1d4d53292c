"""HexHub: real machines for teaching programming, on JupyterHub and Docker."""
