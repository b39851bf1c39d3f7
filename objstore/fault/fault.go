// Package fault makes mapped files safe to read: where a file was cut behind its
// mapping, or its disk fails, there is no page, and the kernel says so by a signal
// that would end the program.
package fault

import "runtime/debug"

// Catch calls read, and reports whether it was stopped by a page that is not
// there. Any other panic goes on.
func Catch(read func()) (stopped bool) {
	defer func() {
		what := recover()
		if what == nil {
			return
		}
		if _, ok := what.(interface{ Addr() uintptr }); !ok {
			panic(what)
		}
		stopped = true
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	read()
	return false
}
