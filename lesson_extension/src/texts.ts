/**
 * Every text of the panel that no author wrote, in English and Russian.
 *
 * The type of the Russian catalogue is that of the English one, so that a missing text does not
 * compile. Texts of lessons come from the course, in the student's language.
 */

const en = {
  panelTitle: 'Lesson',
  language: 'Language',
  backToCourse: (title: string) => `Back to the course “${title}”`,
  loading: 'Opening the lesson…',
  stepsDone: (passed: number, total: number) =>
    `${String(passed)} of ${String(total)} ${total === 1 ? 'step' : 'steps'}`,
  theory: 'Read first',
  theoryRead: 'I have read this',
  steps: 'Steps',
  stepNumber: (index: number) => `Step ${String(index)}`,
  stateLocked: 'locked',
  stateOpen: 'open',
  statePassed: 'passed',
  lockedWhy: 'This step opens when the steps before it are passed.',
  copy: 'Copy',
  copied: 'Copied',
  check: 'Check',
  checkAgain: 'Check again',
  markDone: 'Mark as done',
  saving: 'Saving your files…',
  sending: 'Asking for the check…',
  queued: (position: number | null) =>
    position !== null && position > 1
      ? `Waiting: ${String(position - 1)} before you`
      : position === 1
        ? 'Waiting: you are next'
        : 'Waiting for a free place…',
  running: 'Checking…',
  seconds: (s: number) => `${String(s)} s`,
  slow: 'This takes longer than usual. You can keep working; the result will appear here.',
  joined:
    'This check was running already. If you changed files since, check again when it is done.',
  outcomePassed: 'Passed',
  outcomeFailed: 'Not yet',
  outcomeError: 'Your work stopped the check',
  outcomeUngradable: 'The check could not be made',
  testsPassed: (passed: number, total: number) =>
    `${String(passed)} of ${String(total)} ${total === 1 ? 'test' : 'tests'} passed`,
  failedHelp: 'Look at the first red line, change one thing, and check again.',
  errorHelp: 'The check ended before all tests had run. The lines below say how far it came.',
  ungradableHelp: 'This is not about your work and costs you nothing. Please check again.',
  testPassed: 'passed',
  testFailed: 'failed',
  testError: 'stopped with an error',
  testSkipped: 'not run',
  expected: 'Expected',
  actual: 'Found',
  removedLine: 'only in what was expected',
  addedLine: 'only in what was found',
  onlySpaces: 'They differ only in spaces or line ends (shown as dots and arrows).',
  output: 'What the test printed',
  emptyText: '(empty)',
  checkedAt: (time: string) => `Checked at ${time}`,
  hintTitle: (index: number, total: number) => `Hint ${String(index)} of ${String(total)}`,
  takeHint: (index: number, total: number) => `Hint ${String(index)} of ${String(total)}`,
  previewOpen: (title: string, port: number) => `Open “${title}” (port ${String(port)})`,
  previewReload: 'Reload',
  previewOutside: 'Open in a browser tab',
  previewEmpty: (port: number) => `Nothing to show from port ${String(port)} yet`,
  previewEmptyHelp:
    'Start your server in the terminal: the page appears here by itself. If it is running already, it may refuse to be shown inside another page; open it in a browser tab.',
  stepPassedTitle: (title: string) => `Passed: ${title}`,
  stepPassedNext: (title: string) => `Next: ${title}`,
  dismiss: 'Close this message',
  finishedTitle: 'Lesson finished',
  finishedText: 'You passed every step. Well done.',
  nextLesson: (title: string) => `Next lesson: ${title}`,
  toCourse: 'To the course page',
  solution: 'Author’s solution',
  showSolution: 'Show the author’s solution',
  hideSolution: 'Hide the solution',
  solutionScript: 'Commands, run in the machine',
  binaryFile: 'Not a text file.',
  noSolutionFiles: 'The author left no files here.',
  offlineTitle: 'No connection',
  offlineText: 'Your work here is safe. Checks and hints come back with the connection.',
  offlineRetry: (s: number) => (s > 0 ? `Next try in ${String(s)} s` : 'Trying…'),
  retryNow: 'Try now',
  stoppedTitle: 'The machine of this lesson is stopped',
  stoppedText: 'Your files and your progress are kept.',
  stoppedOpen: 'Start it again',
  loginEnded: 'Your login has ended. Reload the page to log in again.',
  unexpectedAnswer: 'The lesson server gave an answer that this page does not understand.',
  saveFailed: (why: string) => `Your files could not be saved, so nothing was checked: ${why}`,
  announceRunning: 'The check is running.',
  announcePassed: (step: string) => `Step passed: ${step}.`,
  announceOpened: (step: string) => `The next step is open: ${step}.`,
  announceFinished: 'All steps are passed. The lesson is finished.',
  announceHint: 'A hint is shown.',
  commandCategory: 'Lesson',
  commandCheck: 'Lesson: Check this step',
  commandHint: 'Lesson: Hint',
  commandNext: 'Lesson: Next step',
  commandShow: 'Lesson: Show the lesson',
};

/** The texts of one language. */
export type Texts = Readonly<typeof en>;

const ru: Texts = {
  panelTitle: 'Урок',
  language: 'Язык',
  backToCourse: (title) => `Назад к курсу «${title}»`,
  loading: 'Открываем урок…',
  stepsDone: (passed, total) => `${String(passed)} из ${String(total)} ${ofSteps(total)}`,
  theory: 'Сначала прочитайте',
  theoryRead: 'Прочитано',
  steps: 'Шаги',
  stepNumber: (index) => `Шаг ${String(index)}`,
  stateLocked: 'закрыт',
  stateOpen: 'открыт',
  statePassed: 'пройден',
  lockedWhy: 'Этот шаг откроется, когда будут пройдены предыдущие.',
  copy: 'Копировать',
  copied: 'Скопировано',
  check: 'Проверить',
  checkAgain: 'Проверить ещё раз',
  markDone: 'Отметить как сделанное',
  saving: 'Сохраняем файлы…',
  sending: 'Отправляем на проверку…',
  queued: (position) =>
    position !== null && position > 1
      ? `В очереди, впереди: ${String(position - 1)}`
      : position === 1
        ? 'В очереди, вы следующие'
        : 'Ждём свободное место…',
  running: 'Проверяем…',
  seconds: (s) => `${String(s)} с`,
  slow: 'Проверка идёт дольше обычного. Можно работать дальше: результат появится здесь.',
  joined:
    'Эта проверка уже шла. Если с тех пор вы меняли файлы, проверьте ещё раз, когда она закончится.',
  outcomePassed: 'Пройдено',
  outcomeFailed: 'Пока нет',
  outcomeError: 'Ваша работа прервала проверку',
  outcomeUngradable: 'Проверить не удалось',
  testsPassed: (passed, total) => `Пройдено тестов: ${String(passed)} из ${String(total)}`,
  failedHelp: 'Посмотрите на первую красную строку, исправьте одно место и проверьте снова.',
  errorHelp: 'Проверка прервалась раньше, чем прошли все тесты. Ниже видно, докуда она дошла.',
  ungradableHelp: 'Дело не в вашей работе, попытка не засчитана. Проверьте ещё раз.',
  testPassed: 'пройден',
  testFailed: 'не пройден',
  testError: 'прерван ошибкой',
  testSkipped: 'не запускался',
  expected: 'Ожидалось',
  actual: 'Получено',
  removedLine: 'есть только в ожидаемом',
  addedLine: 'есть только в полученном',
  onlySpaces: 'Отличаются только пробелы или концы строк (показаны точками и стрелками).',
  output: 'Что вывел тест',
  emptyText: '(пусто)',
  checkedAt: (time) => `Проверено в ${time}`,
  hintTitle: (index, total) => `Подсказка ${String(index)} из ${String(total)}`,
  takeHint: (index, total) => `Подсказка ${String(index)} из ${String(total)}`,
  previewOpen: (title, port) => `Открыть «${title}» (порт ${String(port)})`,
  previewReload: 'Обновить',
  previewOutside: 'Открыть во вкладке браузера',
  previewEmpty: (port) => `На порту ${String(port)} пока нечего показать`,
  previewEmptyHelp:
    'Запустите свой сервер в терминале: страница появится здесь сама. Если он уже работает, он может запрещать показ внутри другой страницы; откройте его во вкладке браузера.',
  stepPassedTitle: (title) => `Пройдено: ${title}`,
  stepPassedNext: (title) => `Дальше: ${title}`,
  dismiss: 'Закрыть сообщение',
  finishedTitle: 'Урок пройден',
  finishedText: 'Все шаги позади. Отличная работа.',
  nextLesson: (title) => `Следующий урок: ${title}`,
  toCourse: 'На страницу курса',
  solution: 'Решение автора',
  showSolution: 'Показать решение автора',
  hideSolution: 'Скрыть решение',
  solutionScript: 'Команды, выполненные в машине',
  binaryFile: 'Это не текстовый файл.',
  noSolutionFiles: 'Файлов автор не оставил.',
  offlineTitle: 'Нет связи',
  offlineText: 'Ваша работа не пропала. Проверки и подсказки вернутся вместе со связью.',
  offlineRetry: (s) => (s > 0 ? `Следующая попытка через ${String(s)} с` : 'Пробуем…'),
  retryNow: 'Попробовать сейчас',
  stoppedTitle: 'Машина этого урока остановлена',
  stoppedText: 'Файлы и прогресс сохранены.',
  stoppedOpen: 'Запустить снова',
  loginEnded: 'Сеанс входа закончился. Обновите страницу, чтобы войти снова.',
  unexpectedAnswer: 'Сервер урока прислал ответ, который эта страница не понимает.',
  saveFailed: (why) => `Файлы не сохранились, поэтому проверки не было: ${why}`,
  announceRunning: 'Идёт проверка.',
  announcePassed: (step) => `Шаг пройден: ${step}.`,
  announceOpened: (step) => `Открыт следующий шаг: ${step}.`,
  announceFinished: 'Все шаги пройдены. Урок закончен.',
  announceHint: 'Показана подсказка.',
  commandCategory: 'Урок',
  commandCheck: 'Урок: проверить этот шаг',
  commandHint: 'Урок: подсказка',
  commandNext: 'Урок: следующий шаг',
  commandShow: 'Урок: показать урок',
};

/** Give the Russian genitive of "step": после «из 1» шага, после остальных шагов. */
function ofSteps(total: number): string {
  return total % 10 === 1 && total % 100 !== 11 ? 'шага' : 'шагов';
}

const CATALOGUES: Readonly<Record<string, Texts>> = { en, ru };

/** Give the texts in `locale`, else in its base language, else in English. */
export function textsIn(locale: string): Texts {
  return CATALOGUES[locale] ?? CATALOGUES[locale.split(/[-_]/)[0] ?? ''] ?? en;
}
