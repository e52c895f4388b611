/** The public names of the package: what it takes to run it inside another program. */
export { createApp } from "./app.ts";
export type { AdapterOptions, SourceOptions } from "./adapters.ts";
export type { App, AppOptions } from "./app.ts";
export type { ServeOptions } from "./serving.ts";
export type { Clock } from "./clock.ts";
export { codeOf, Customer360Error } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
export { lineLog, silentLog } from "./log.ts";
export type { Log } from "./log.ts";
export { loadPlan } from "./plan/load.ts";
export type { Plan } from "./customer/plan.ts";
export type { Customer, Update } from "./customer/customer.ts";
