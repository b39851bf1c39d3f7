package date

import (
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// known are dates that GNU date takes, too.
var known = []string{
	"@1700000003", "@1700000003.5", "@0", "@-5", "2023-11-14", "2023-11-14 22:13:21", "2023-11-14 22:13:21 +0000", "2023-11-14T22:13:21Z",
	"2023-11-14T22:13:23+01:00", "2023-11-14 22:13", "2023-11-14 22:13 UTC", "2023-11-14 10:13:23 pm UTC", "2023-11-14 12:00 am",
	"2023-11-14 22:13:23.5 UTC", "Tue, 14 Nov 2023 22:13:24 +0000", "14 Nov 2023", "Nov 14 2023 22:13", "November 14, 2023", "11/14/2023",
	"1/2/2023", "20231114", "2023/11/14", "2023-11-14 22:13:21 -0330", "2023-11-14 22:13:21 +05", "14 nov 2023 1:02",
	"2024-02-29", "2023-11-14 2 days ago", "2023-11-14 22:13 1 month", "2023-11-14 +1 month", "2023-01-31 +1 month", "2023-11-14 last week",
	"2023-11-14 00:00 UTC 1 fortnight ago", "2023-11-14 2 hours ago", "2023-11-14 1 year 2 months 3 days ago", "2023-11-14 00:30 90 minutes ago",
	"2023-11-14 22:13:20 UTC next year", "2023-11-14 now", "2023-11-14 yesterday",
	"Sat Nov 28 22:02:03 UTC 2026", "Sat Nov 28 22:02:03 2026", "Sat 28 Nov 2026 10:02:03 PM UTC", "2026-11-28T22:02:03,123456789+00:00",
	"Sat, 28 Nov 2026 22:02:03 +0000", "Nov 28 22:02:03 EST 2026", "2026-11-28 22:02 EST", "2026-07-28 22:02 EDT",
	"2026-11-28 22:02 CET", "2026-07-28 22:02 CEST", "2026-11-28 22:02 PST", "2026-11-28 22:02 IST", "2026-11-28 22:02 NST",
	"2026-11-28 22:02 UTC+2", "2026-11-28 22:02 UTC-0330", "2026-11-28 22:02 +2", "2026-11-28 22:02 +130", "2026-11-28 22:02 -3:30",
	"2026-01-01 1pm", "2026-01-01 12am", "2026-01-01 1 pm EST", "2026-01-01 10:30pm", "1-Jan-2020", "01-oct-20", "11/28/26", "11/28/70",
	"@ 5", "2020-01-01 + 1 day", "2020-01-01 - 2 days", "2020-02-29", "Feb 29 1:00 2024", "2020-01-01 10:00 UTC + 1 day",
}

// near are known by now alone.
var near = []string{"", "now", "today", "yesterday", "tomorrow", "2 days ago", "10 days ago", "1 week ago", "last month", "next year", "hour ago", "1 hour ago", "22:13", "90 seconds ago", "2days ago",
	"1pm", "10:30 am CET", "Dec 25", "25 Dec", "Dec 05 12:00", "12/25", "4 July yesterday", "+ 1 day"}

// unknown are no dates, here at least.
var unknown = []string{
	"bogus", "1700000003", "2023-02-30", "2023-13-01", "2023-11-14 25:00", "@", "@x", "@1.", "@1.x", "ago", "2", "2 days 3", "last", "2 blue ago",
	"2023-11-14 2023-11-15", "22:13 22:14", "UTC", "2023-11-14 13:00 pm", "99999999999999999999 days ago", "2023-11-14 UTC UTC", "-", "noon", "2023-11-14 00:30 -90 minutes", "@99999999999999999999",
	"2026-11-28 0pm", "2026-11-28 13pm", "2026-11-28 22:02 +25", "2026-11-28 22:02 XYZ", "Feb 29 1:00 2023", "Dec 32", "13/25", "Dec 25 1:00 26",
	"22:13 +2 hours", "4 July 1 day ago", "Monday", "next monday", "Dec", "pm", "1:00,5", "22:02:03 2026",
}

// TestAsGNU compares with date(1), in a zone with a shift.
func TestAsGNU(t *testing.T) {
	if _, err := exec.LookPath("date"); err != nil {
		t.Skip("cannot run: there is no date(1)")
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("cannot run: no zones: ", err)
	}
	for _, text := range append(known, near...) {
		cmd := exec.Command("date", "-d", text, "+%s")
		cmd.Env = []string{"TZ=America/New_York", "LC_ALL=C"}
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%q: date: %v", text, err)
			continue
		}
		var want int64
		fmt.Sscan(string(out), &want)
		got, err := Parse(text, time.Now().In(zone))
		if diff := got.Unix() - want; err != nil || diff < -5 || diff > 5 {
			t.Errorf("%q is %v, %v, want %v", text, got, err, time.Unix(want, 0).In(zone))
		}
	}
}

func TestUnknown(t *testing.T) {
	for _, text := range unknown {
		if got, err := Parse(text, time.Now()); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, list := range [][]string{known, near, unknown} {
		for _, text := range list {
			f.Add(text)
		}
	}
	now := time.Unix(1700000000, 0).UTC()
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse(text, now); err != nil && !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	})
}
