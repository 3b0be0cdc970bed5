"""What an operator does from the command line: a file for each subject.

Commands are values, so that one list serves both ways of giving them: to the services in this
process, or through the admin socket to a running server. A subject is a class whose `handlers`
say which command it carries out with which method.
"""
