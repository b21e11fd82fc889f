#pragma once

/* The names under which edgewatchd offers its objects and edgewatchctl asks for them. They are an API: never
 * renamed. */

#define BUS_NAME               "org.edgewatch1"
#define BUS_PATH               "/org/edgewatch1"
#define BUS_INCIDENT_PATH      "/org/edgewatch1/incident"
#define BUS_MANAGER_INTERFACE  "org.edgewatch1.Manager"
#define BUS_EVIDENCE_INTERFACE "org.edgewatch1.Evidence"
#define BUS_INCIDENT_INTERFACE "org.edgewatch1.Incident"

/* The peer-to-peer socket, below the daemon's RuntimeDirectory. */
#define BUS_RUNTIME_DIRECTORY "/run/edgewatch"
#define BUS_PRIVATE_SOCKET    "private"

/* Errors that a caller can act on. */
#define BUS_ERROR_NO_SUCH_INCIDENT "org.edgewatch1.NoSuchIncident"
#define BUS_ERROR_BAD_SUBJECT      "org.edgewatch1.BadSubject"

/* ListIncidents() -> id, symptom, subject, state, severity, consequence of (id or ""), count, first seen,
 * last seen, seq */
#define BUS_INCIDENT_ROW  "(sssssstttt)"
#define BUS_INCIDENT_LIST "a" BUS_INCIDENT_ROW
/* IncidentChanged: id, symptom, subject, change, seq */
#define BUS_INCIDENT_CHANGED "sssst"
