"""The one process of a student's machine begins here.

``python -I -m hexhub_lesson.entrypoint`` is started in every container; what it does then,
``hexhub_lesson.machine_process`` says. Before that is imported, or nearly anything, the image's
pack of modules is taken.

``-I`` matters: without it, a student's ``json.py`` in the working folder, a module in
``~/.local/lib`` or ``PYTHONPATH`` would be imported by this process.
"""

from hexhub_lesson.import_pack import use_pack

if __name__ == "__main__":
    packed = use_pack()
    from hexhub_lesson.machine_process import main

    main(packed)
