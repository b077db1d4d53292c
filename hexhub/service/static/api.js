// Requests to API v1. JupyterHub takes a cookie only together with its XSRF token.

const xsrf = () => document.querySelector('meta[name="xsrf"]')?.content ?? "";

export class ApiError extends Error {
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

async function request(method, url) {
  const answer = await fetch(url, {
    method,
    headers: { "X-XSRFToken": xsrf(), Accept: "application/json" },
    credentials: "same-origin",
    redirect: "error",
  });
  const content = await answer.json().catch(() => null);
  if (answer.ok && content) {
    return content;
  }
  const { code = "error", message = `${answer.status} ${answer.statusText}` } =
    content?.error ?? {};
  if (code === "login_required") {
    // The log-in has ended, or the page's XSRF token has: a fresh page sorts out both.
    location.reload();
  }
  throw new ApiError(code, message, answer.status);
}

export const get = (url) => request("GET", url);
export const post = (url) => request("POST", url);
