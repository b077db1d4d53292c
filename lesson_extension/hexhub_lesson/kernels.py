"""Which kernels a lesson offers: those of the system's Python, never JupyterLab's own."""

import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from traitlets import default

SYSTEM_PYTHON = "/usr/bin/python3"


class SystemKernels(KernelSpecManager):
    """Kernel specs outside of JupyterLab's virtual environment.

    The kernel that comes along with JupyterLab runs in ``/opt/hexhub``, where nothing that the
    student installs can be imported. A lesson whose image has no kernel of its own offers none.
    """

    @default("ensure_native_kernel")
    def _default_ensure_native_kernel(self) -> bool:
        return False

    @default("kernel_dirs")
    def _default_kernel_dirs(self) -> list[str]:
        own = Path(sys.prefix).resolve()
        folders: list[str] = super()._kernel_dirs_default()
        return [folder for folder in folders if not Path(folder).resolve().is_relative_to(own)]

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Give the spec of that name.

        Raises:
            NoSuchKernel: There is none outside of JupyterLab's environment. (The base class would
                fall back to the native kernel, whatever ``ensure_native_kernel`` says.)
        """
        if kernel_name not in self.find_kernel_specs():
            raise NoSuchKernel(kernel_name)
        spec = super().get_kernel_spec(kernel_name)
        # jupyter_client puts its own interpreter where a spec says just "python".
        if spec.argv and spec.argv[0] in ("python", "python3"):
            spec.argv = [SYSTEM_PYTHON, *spec.argv[1:]]
        return spec
