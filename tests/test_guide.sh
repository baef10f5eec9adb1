# The guide against the project: its C is compiled, its links lead somewhere, its table of calls is whole.
python3 "$SPUSK_SOURCE/tools/check_guide.py" "$SPUSK_SOURCE"
