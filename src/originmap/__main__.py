"""python -m originmap"""

from originmap.cli.main import main

main()
