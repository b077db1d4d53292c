"""What the ``lesson`` command says, in the languages it speaks."""

LANGUAGES = ("en", "ru")

_EN = {
    "usage": """\
Usage: lesson [COMMAND] [STEP] [--json] [--locale en|ru]

  lesson             where you are: the lesson and its steps
  lesson task        read the task of the current step
  lesson check       check your work; --watch: again whenever a file changes
  lesson hint        take a hint
  lesson history     earlier checks of the step, and what came of them
  lesson next        go on: the next step, or the next lesson
  lesson steps       all steps, with their names
  lesson done        mark a step without a check as done
  lesson solution    the author's solution, when it is open
  lesson reset FILE  put a file back as it was at the beginning; --undo takes yours back
  lesson reset       the whole machine anew (asks first); --undo takes the old one back
  lesson locale ru   speak Russian from now on (en: English)

STEP is a step's name, as 'lesson steps' shows it; without one the current step is meant.
--json prints what the hub answered, for programs.
'lesson check' ends with 0 when the check is passed, 1 when it is not, 2 when it could not be made.
""",
    "progress": "{passed} of {total} steps",
    "command_task": "read the task of this step",
    "command_check": "check your work",
    "command_hint": "take a hint",
    "command_next": "go on",
    "hints_taken": "{taken} of {total} taken",
    "locked": "not open yet",
    "greeting_step": "Now: {title}",
    "greeting_finished": "All steps of this lesson are passed.",
    "greeting_unknown": "This machine belongs to a lesson.",
    "greeting_task": "what to do",
    "greeting_check": "check it",
    "greeting_hint": "a hint",
    "greeting_records": "This lesson records the commands that you type in this terminal. "
    "A space before a command keeps it out.",
    "checking": "Checking",
    "queued": "Waiting, {before} before you",
    "queued_next": "Waiting, you are next",
    "was_running": "This check was running already when you asked. "
    "To check what you changed since: lesson check",
    "check_goes_on": "The check goes on. 'lesson check' shows its result.",
    "watching": "Watching your files. Enter checks at once, Ctrl-C ends this.",
    "watch_later": "{message} Going on with watching.",
    "only_spaces": "They differ only in spaces, tabs and ends of lines.",
    "passed": "Passed: {passed} of {total} tests.",
    "failed": "Not yet: {passed} of {total} tests pass.",
    "error": "Your work stopped the check.",
    "ungradable": "The check could not be made. That is not your fault, and it costs you nothing.",
    "cancelled": "Cancelled. This check does not count.",
    "expected": "expected",
    "actual": "found",
    "output": "printed",
    "history_passed": "Passed",
    "history_failed": "Not yet",
    "history_error": "Your work stopped the check",
    "history_ungradable": "The check could not be made",
    "history_cancelled": "Cancelled",
    "history_tests": "{passed} of {total} tests",
    "history_none": "There are no earlier checks of this step.",
    "regraded_with": "graded again with version {version} of the course",
    "then_next": "Go on with: lesson next",
    "no_check": "This step has no check. When you are through with it: lesson done",
    "step_done": "Done: {title}",
    "not_passed": "This step has a check: lesson check",
    "lesson_finished": "You have finished the lesson '{title}'.",
    "next_lesson": "Next lesson: {title}",
    "last_lesson": "That was the last lesson of this course.",
    "solution_open": "The author's solution: lesson solution",
    "hint_n": "Hint {taken} of {total}",
    "no_hints": "This step has no hints.",
    "hints_all_taken": "That were all hints of this step.",
    "binary": "(not a text)",
    "script": "Commands",
    "file_reset": "{path} is as it was at the beginning.",
    "file_undone": "{path} is as you had it.",
    "file_as_new": "{path} is as it was at the beginning already.",
    "file_undo_with": "To take yours back: lesson reset {path} --undo",
    "reset_warning": "The whole machine is put aside and a new one starts: files, programs, "
    "databases. Your progress stays. For 7 days 'lesson reset --undo' takes the old one back. "
    "This terminal ends.",
    "undo_warning": "The machine from before the reset comes back. What you did since then is "
    "removed for good. This terminal ends.",
    "reset_question": "Go on? Type yes: ",
    "reset_yes": "yes",
    "reset_not_done": "Nothing was changed.",
    "reset_unsure": "This changes the whole machine. To do it without being asked: "
    "lesson reset --yes",
    "reset_begun": "The machine is put aside and a new one starts. Reload the page in a moment.",
    "undo_begun": "The machine from before is coming back. Reload the page in a moment.",
    "locale_set": "From now on this command speaks English.",
    "locale_unknown": "There is no '{locale}'. There are: en, ru.",
    "unknown_command": "There is no 'lesson {command}'. 'lesson --help' shows what there is.",
    "unknown_step": "No step '{step}' in this lesson. It has: {steps}.",
    "bad_step": "'{step}' is not the name of a step. 'lesson steps' shows them.",
    "task_locked": "The task of '{title}' opens when the steps before it are passed.",
    "no_server": "No lesson answers on this machine. Is the lesson open in your browser?",
    "other_user": "The lesson belongs to the user '{user}', you are '{me}'. "
    "Leave this shell with 'exit' and try again.",
    "bad_answer": "{message} Reload the lesson in your browser.",
}

_RU = {
    "usage": """\
Использование: lesson [КОМАНДА] [ШАГ] [--json] [--locale en|ru]

  lesson             где вы: урок и его шаги
  lesson task        прочитать задание текущего шага
  lesson check       проверить решение; --watch: снова при каждом изменении файла
  lesson hint        взять подсказку
  lesson history     прошлые проверки шага и их итог
  lesson next        дальше: следующий шаг или следующий урок
  lesson steps       все шаги и их имена
  lesson done        отметить пройденным шаг без проверки
  lesson solution    решение автора, когда оно открыто
  lesson reset ФАЙЛ  вернуть файл в исходный вид; --undo вернёт ваш
  lesson reset       вся машина заново (сначала спросит); --undo вернёт прежнюю
  lesson locale en   дальше говорить по-английски (ru: по-русски)

ШАГ — имя шага, как его показывает 'lesson steps'; без него берётся текущий шаг.
--json печатает ответ сервера как есть, для программ.
'lesson check' завершается с кодом 0, если проверка пройдена, 1 — если нет, 2 — если не удалась.
""",
    "progress": "шагов пройдено: {passed} из {total}",
    "command_task": "прочитать задание шага",
    "command_check": "проверить решение",
    "command_hint": "взять подсказку",
    "command_next": "дальше",
    "hints_taken": "взято {taken} из {total}",
    "locked": "ещё закрыт",
    "greeting_step": "Сейчас: {title}",
    "greeting_finished": "Все шаги этого урока пройдены.",
    "greeting_unknown": "На этой машине идёт урок.",
    "greeting_task": "что делать",
    "greeting_check": "проверить",
    "greeting_hint": "подсказка",
    "greeting_records": "Этот урок записывает команды, которые вы набираете в этом терминале. "
    "Команда с пробелом в начале не записывается.",
    "checking": "Проверяем",
    "queued": "Ждём очереди, впереди: {before}",
    "queued_next": "Ждём очереди, вы следующие",
    "was_running": "Эта проверка уже шла, когда вы её попросили. "
    "Проверить то, что изменилось с тех пор: lesson check",
    "check_goes_on": "Проверка продолжается. Результат покажет 'lesson check'.",
    "watching": "Слежу за вашими файлами. Enter — проверить сразу, Ctrl-C — закончить.",
    "watch_later": "{message} Слежу дальше.",
    "only_spaces": "Различие только в пробелах, табуляциях и концах строк.",
    "passed": "Пройдено: тестов {passed} из {total}.",
    "failed": "Пока нет: тестов пройдено {passed} из {total}.",
    "error": "Ваша работа прервала проверку.",
    "ungradable": "Проверить не удалось. Это не ваша ошибка, попытка не засчитана.",
    "cancelled": "Отменено. Эта проверка не считается.",
    "expected": "ожидалось",
    "actual": "получено",
    "output": "выведено",
    "history_passed": "Пройдено",
    "history_failed": "Пока нет",
    "history_error": "Ваша работа прервала проверку",
    "history_ungradable": "Проверить не удалось",
    "history_cancelled": "Отменено",
    "history_tests": "тестов {passed} из {total}",
    "history_none": "Прошлых проверок этого шага нет.",
    "regraded_with": "оценено заново, версия курса {version}",
    "then_next": "Дальше: lesson next",
    "no_check": "У этого шага нет проверки. Когда закончите: lesson done",
    "step_done": "Готово: {title}",
    "not_passed": "У этого шага есть проверка: lesson check",
    "lesson_finished": "Вы прошли урок «{title}».",
    "next_lesson": "Следующий урок: {title}",
    "last_lesson": "Это был последний урок курса.",
    "solution_open": "Решение автора: lesson solution",
    "hint_n": "Подсказка {taken} из {total}",
    "no_hints": "У этого шага нет подсказок.",
    "hints_all_taken": "Это все подсказки шага.",
    "binary": "(не текст)",
    "script": "Команды",
    "file_reset": "{path}: возвращён исходный вид.",
    "file_undone": "{path}: возвращён ваш вариант.",
    "file_as_new": "{path}: файл и так в исходном виде.",
    "file_undo_with": "Вернуть ваш вариант: lesson reset {path} --undo",
    "reset_warning": "Вся машина будет отложена, и запустится новая: файлы, программы, базы "
    "данных. Прогресс останется. Прежнюю в течение 7 дней вернёт 'lesson reset --undo'. "
    "Этот терминал закроется.",
    "undo_warning": "Вернётся машина, какой она была до сброса. Всё, что вы сделали с тех пор, "
    "будет удалено навсегда. Этот терминал закроется.",
    "reset_question": "Продолжить? Напишите да: ",
    "reset_yes": "да",
    "reset_not_done": "Ничего не изменилось.",
    "reset_unsure": "Это меняет всю машину. Без вопроса: lesson reset --yes",
    "reset_begun": "Машина отложена, запускается новая. Обновите страницу через минуту.",
    "undo_begun": "Прежняя машина возвращается. Обновите страницу через минуту.",
    "locale_set": "Теперь эта команда говорит по-русски.",
    "locale_unknown": "Нет языка '{locale}'. Есть: en, ru.",
    "unknown_command": "Нет команды 'lesson {command}'. Что есть, покажет 'lesson --help'.",
    "unknown_step": "В этом уроке нет шага '{step}'. Есть: {steps}.",
    "bad_step": "'{step}' — не имя шага. Имена покажет 'lesson steps'.",
    "task_locked": "Задание шага «{title}» откроется, когда пройдены шаги перед ним.",
    "no_server": "На этой машине урок не отвечает. Открыт ли он в браузере?",
    "other_user": "Урок принадлежит пользователю '{user}', а вы — '{me}'. "
    "Выйдите из этой оболочки командой 'exit' и попробуйте снова.",
    "bad_answer": "{message} Обновите страницу урока в браузере.",
}

TEXTS = {"en": _EN, "ru": _RU}
