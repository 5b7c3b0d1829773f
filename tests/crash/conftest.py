"""The crash ring stands on the system ring's fixtures."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from fixtures import folder, make_daemon  # noqa: E402,F401 pylint: disable=unused-import,wrong-import-position
