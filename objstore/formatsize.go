package objstore

import "fmt"

// FormatSize writes a number of bytes as GLib does, and so ostree: with one digit
// behind the point and a unit that is a power of 1000.
func FormatSize(n uint64) string {
	switch {
	case n == 1:
		return "1 byte"
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n)/1000, 0
	for value >= 1000 {
		value, unit = value/1000, unit+1
	}
	return fmt.Sprintf("%.1f\u00a0%cB", value, "kMGTPE"[unit])
}
