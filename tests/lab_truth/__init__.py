"""How true the state is: histories of recorded logs, compared with the kernel's own record of every SA."""
