import type { components } from "./schema";

type Consultation = components["schemas"]["Consultation"];

export const pressure = (consultation: Consultation): string | undefined => consultation.step_data?.vitals?.data?.bp;
export const reply = (one: components["schemas"]["PatientReply"] | components["schemas"]["ErrorReply"]): string | undefined =>
  one.success ? one.data.patient.mrn : one.error.code;
