/* httpd: the daemon's main. */

#include "base/log.h"
#include "server/passwd.h"
#include "server/server.h"

int main(int argc, char **argv)
{
    struct options options;

    log_name("httpd");
    switch (options_parse(&options, argc, argv)) {
    case OPTIONS_EXIT_OK: return 0;
    case OPTIONS_EXIT_USAGE: return 2;
    case OPTIONS_PASSWD: return passwd_run(options.passwd_user);
    case OPTIONS_RUN: break;
    }
    return server_run(&options);
}
