#ifndef HFTP_HFTP_H
#define HFTP_HFTP_H

/*
 * HFTP, the home-made file transfer protocol: commands of one line, answered in order with a line
 * "<code> <text>" and what the command asked for. Reads the top directory of the docroot, and
 * changes nothing.
 */

#include "server/protocol.h"

extern const struct protocol hftp_protocol;

#endif
