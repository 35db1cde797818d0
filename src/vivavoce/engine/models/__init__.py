"""The models of the engine: one module for each family, behind the protocols of `protocols`.

Threads that wait for work must sleep, not spin: on two cores a spinning pool takes from its neighbours the very
time that it waits for. OpenMP reads that wish when a library that uses it is first imported, hence here.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
