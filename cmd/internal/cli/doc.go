// Package cli is the voice of the programs: command lines in, text or JSON and an exit status out.
//
// A [Program] is a table of [Verb]s. Everything that a user can read about a verb (its help, its
// man page, its completion) and the way its command line is parsed come from that one table.
//
// # Command lines
//
// They are read as GLib reads ostree's, so that one program can stand in for the other: options may
// be anywhere, also before the verb, up to "--"; short ones combine; "--opt=value" and "--opt value"
// mean the same; names are never abbreviated; --help answers at once. A verb that runs another program
// says where its own options end.
//
// # Terminals
//
// Only on a terminal is anything coloured or paged. A [Verb] that says Pager prints into the user's
// pager, by git's rules; it starts with the first line that is printed, so that a failure before that
// stands on the terminal, and its end is the program's, quietly. What ostree prints, too, stays the
// same to the byte in pipes and files.
//
// # Exit status
//
// [Program.Main] is the only place that decides it. 0 is success, 1 any failure; wrong use gives 1
// for verbs that ostree has too and 2 for verbs that are ours alone; a program that a signal stopped
// gives 130.
//
// # Messages
//
// A failure is one line on stderr, "error: " and what failed, lower case, no full stop. An error
// that knows a remedy has a method Hint() string; its text stands on a second line after "hint: ".
// A command of ostree in it, such as `ostree pull`, is printed as one of the program.
package cli
