"""The fixtures of this ring (fixtures.py)."""
from fixtures import daemon, folder, make_daemon, make_server, oracle, postfix, session_folder  # noqa: F401 pylint: disable=unused-import
