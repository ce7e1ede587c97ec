# The portal of LemonLDAP::NG. argv: the port. LLNG_DEFAULTCONFFILE names its configuration.
use strict;
use warnings;

# Its captchas are not used, and would need ImageMagick.
BEGIN { $INC{"GD/SecurityImage.pm"} = $INC{"Image/Magick.pm"} = 1 }

use Lemonldap::NG::Portal::Main;
use Plack::Runner;

my $runner = Plack::Runner->new;
my $portal = Lemonldap::NG::Portal::Main->run( {} );
$runner->parse_options( "--host", "127.0.0.1", "--port", $ARGV[0], "-s", "HTTP::Server::PSGI", "-E", "deployment" );
$runner->run($portal);
