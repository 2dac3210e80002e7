// API client, and the API key, which is kept in sessionStorage only. Addresses are relative to the page, which a proxy
// may serve below a path prefix.

const STORAGE_KEY = "api-key";

/** Error response of the API; `status` is 0 without a response. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? (status ? `The service answered with status ${status}.` : "The service does not answer."));
    this.status = status;
    this.code = body?.error?.code ?? "";
    this.problems = body?.error?.problems ?? [];
    this.request = body?.request_id ?? "";
    this.retryAfter = null;
  }
}

export const key = {
  get: () => sessionStorage.getItem(STORAGE_KEY),
  set: (value) => sessionStorage.setItem(STORAGE_KEY, value),
  forget: () => sessionStorage.removeItem(STORAGE_KEY),
};

/** Columns of each part with meanings and codes. */
export const inputFeatures = () => call("v1/input-features");

export const model = () => call("v1/model");

/** Places of an address, the best first, where the service has a geocoder. */
export const geocode = (address) => call("v1/geocode", { address });

/** Prediction of one accident with its five strongest reasons and three questions. */
export const predict = (accident) => call("v1/predict?reasons=5&ask=3", accident);

async function call(path, content) {
  const headers = { Accept: "application/json" };
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  const options = { headers, cache: "no-store" };
  if (content !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(content);
    headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError(0);
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const error = new ApiError(response.status, body);
  error.retryAfter = response.headers.get("Retry-After");
  throw error;
}
