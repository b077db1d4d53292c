"""The student machine: a DockerSpawner that starts one container per student and lesson."""
