package keeper

import "time"

// Tick bounds how long all goroutines may stop, in a server and in a keeper: a
// collection stops them, and Go 1.26 overlooks a thread that is just entering a
// system call until the runtime's monitor finds it, which sleeps until the next
// timer is due, up to a minute.
func Tick() { time.AfterFunc(time.Second, Tick) }
