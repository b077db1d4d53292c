# Sourced by interactive shells in a lesson.
