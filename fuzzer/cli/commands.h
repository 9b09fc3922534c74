/* SPDX-License-Identifier: MIT */
/* The subcommands of shortfuse. One file and one row of commands[] in fuzzer/cli/main.c each. */
#ifndef SF_COMMANDS_H
#define SF_COMMANDS_H

/* Exit statuses, everywhere. */
enum { EXIT_CLEAN = 0, EXIT_FLAGGED = 1, EXIT_USAGE = 2, EXIT_INFRA = 3 };

/* argv[0] is the name of the subcommand, for argp: "shortfuse run". Returns an exit status. */
int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_asm(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_fuzz(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_min(int argc, char **argv);
int cmd_bisect_kernels(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_mutate(int argc, char **argv);
int cmd_kernel(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_diagnose(int argc, char **argv);
int cmd_qualify(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_nightly(int argc, char **argv);
int cmd_fleet(int argc, char **argv);

#endif
