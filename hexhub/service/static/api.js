// Requests to API v1. JupyterHub takes a cookie only together with its XSRF token.

const xsrf = () => document.querySelector('meta[name="xsrf"]')?.content ?? "";

export class ApiError extends Error {
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const options = (method, accept = "application/json") => ({
  method,
  headers: { "X-XSRFToken": xsrf(), Accept: accept },
  credentials: "same-origin",
  redirect: "error",
});

async function request(method, url) {
  const answer = await fetch(url, options(method));
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

// For a page that may be left meanwhile: gives null for whatever is no success.
export async function postAhead(url) {
  try {
    const answer = await fetch(url, { ...options("POST"), keepalive: true });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

// A page of ours, without visiting it.
export async function getPage(url) {
  const answer = await fetch(url, options("GET", "text/html"));
  if (!answer.ok) {
    throw new ApiError("error", `${answer.status} ${answer.statusText}`, answer.status);
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}
