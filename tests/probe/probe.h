#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

/* See probe.c. `thread` is a word for the lines. */
void probe_run(const char *thread);

#endif
