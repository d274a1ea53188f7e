/* httpd: the daemon's main. */

#include "base/log.h"
#include "hftp/hftp.h"
#include "server/exchange.h"
#include "server/passwd.h"
#include "server/server.h"

/* HFTP is spoken where HTTP is, unless it was given addresses of its own. */
static int run(const struct options *o)
{
    bool own = o->hftp_bind_count > 0;
    const struct service services[] = {
        {&http_protocol, o->port, o->binds, o->bind_count, o->unix_path},
        {&hftp_protocol, o->hftp_port, own ? o->hftp_binds : o->binds,
         own ? o->hftp_bind_count : o->bind_count, NULL},
    };
    return server_run(o, services, o->hftp ? 2 : 1);
}

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
    log_limit(options.log_level);
    return run(&options);
}
