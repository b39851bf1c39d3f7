// Command deployfs mounts commits of OSTree repositories and looks into them.
//
// Each verb has a file of its own. A verb reads its arguments, makes one call, and prints text or
// JSON; where ostree has the verb, options, output and exit status are the same.
package main

import (
	"os"

	"deployfs/cmd/internal/cli"
)

func main() {
	switch {
	case isOstree(os.Args):
		os.Exit(ostreeMain(os.Args))
	case isHelper(os.Args):
		os.Exit(helperMain(os.Args))
	}
	os.Exit(program().Main(os.Args))
}

// program is the table from which command lines, help, man pages and completion come.
func program() *cli.Program {
	return &cli.Program{
		Name: "deployfs", Short: "mount commits of OSTree repositories and look into them",
		Version: version, Features: features,
		Long: "deployfs shows the commits of an OSTree repository as file systems, straight from the object store, and answers questions about them.\n\n" +
			"Where a verb is named like one of ostree(1), it takes the same options, prints the same and exits the same. Every verb that reads takes --json, too.\n\n" +
			"A commit is named as ostree takes it: a ref, REMOTE:REF, a checksum, the unambiguous beginning of one, and any of them with ^ behind it for the parent.",
		Files: []cli.Example{
			{Command: "DEPLOYFS_PAGER, PAGER", Text: "The program that shows what is printed on a terminal, when it is much; less without it; none when it is cat or empty."},
			{Command: "NO_COLOR", Text: "No colours on a terminal, when it is not empty."},
			{Command: "OSTREE_REPO", Text: "The repository, when there is no --repo and the working directory is none. Without it /ostree/repo is taken."},
		},
		Verbs: []cli.Verb{
			mountVerb(), umountVerb(), mountsVerb(), upgradeVerb(), verifyVerb(), indexVerb(), exploreVerb(), demoVerb(), doctorVerb(), doctorProbeVerb(),
			duVerb(), dfVerb(), bisectVerb(),
			blameVerb(), catVerb(), checkoutVerb(), checksumVerb(), commitVerb(), configVerb(), createUSBVerb(), diffVerb(), exportVerb(), findVerb(), findRemotesVerb(), fsckVerb(), initVerb(), logVerb(), lsVerb(),
			pruneVerb(), pullVerb(), pullLocalVerb(), refsVerb(), remoteVerb(), resetVerb(), revParseVerb(), showVerb(), summaryVerb(),
			gpgSignVerb(), signVerb(), staticDeltaVerb(),
			versionVerb(), cli.HelpVerb(), cli.CompletionVerb(), cli.ManVerb(), keepVerb(), keepFetchedVerb(), serveVerb(), trivialHTTPDVerb(),
		},
	}
}
