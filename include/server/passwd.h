#ifndef SERVER_PASSWD_H
#define SERVER_PASSWD_H

/*
 * httpd --passwd USER: makes a line for the --auth file. Asks for the password twice on the
 * terminal, without showing it; reads one line of standard input where that is no terminal. Never
 * takes it from the command line, which everybody on the machine can see. The exit status.
 */
int passwd_run(const char *user);

#endif
