// Package explore is a full-screen program for looking through a repository: refs, the commits
// behind them, their trees and files, and what differs between two commits.
//
// # Views
//
// What is shown is a stack of views, each opened from the one below it and named in the first line
// of the screen. A [Model] owns the stack, the two commits that are marked, the mounts that were
// made, and the line at the bottom. A view owns what it has read, and its place in it.
//
// # Reading
//
// Nothing is read but what is shown. Every read happens in a command, outside of the model, and
// comes back as a message for its view; it is dropped when that view is gone. Lists grow as they are
// scrolled; what a row tells beside its name is read when the row is on the screen.
//
// # Text of others
//
// Names, messages and contents may hold anything. They reach the screen through printable alone,
// which leaves nothing that a terminal would act on.
package explore
