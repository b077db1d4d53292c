"""The pages that people see: catalogue, course, opening a lesson, solution, errors."""
