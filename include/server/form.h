#ifndef SERVER_FORM_H
#define SERVER_FORM_H

/* The intake of a form with files: multipart/form-data (RFC 7578). Worker threads. */

#include "server/intake.h"
#include "server/worker.h"

enum { FORM_FILES_LIMIT = 1000 }; /* files of one form; each holds a descriptor until the end */

/*
 * Makes the intake for a form posted to `directory` ("" for the root), whose parts `boundary`
 * separates. NULL when it cannot be taken: *answer then says why.
 *
 * Every file goes to a stage of its own as it comes, and all are published when the form is whole:
 * one that breaks off or is malformed leaves nothing, and if one file of several cannot be
 * published those before it are removed again. Only a server that is killed in just that moment
 * leaves some, each of them whole. A file input where nothing was chosen (no name and no bytes) is
 * no file.
 *
 * Beside files other fields are read and not kept. A form that asks for no file at all is stored as
 * the JSON object of its fields (server/form_fields.h).
 */
struct intake *form_begin(struct worker *worker, const struct request *request,
                          struct span directory, struct span boundary, struct answer *answer);

#endif
